#!/usr/bin/env bash
# What build.sh made, to a release of the tag and to PyPI, which trusts this workflow: no password is kept anywhere.
set -euo pipefail
gh run download "$GITHUB_RUN_ID" --repo "$GITHUB_REPOSITORY" --name dist --dir dist
gh release create "$GITHUB_REF_NAME" dist/* --repo "$GITHUB_REPOSITORY" --verify-tag --generate-notes
python3 -m venv tools
tools/bin/pip install --quiet twine==7.0.0
tools/bin/twine upload dist/*.whl "dist/minisam-${GITHUB_REF_NAME#v}.tar.gz"
