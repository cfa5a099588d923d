#!/usr/bin/env bash
# Into dist/: sdist and wheel, checked, and the site's archive. A tag must be the version: v0.2.0 for 0.2.0.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
tag="${GITHUB_REF_NAME:-v$version}"
if [ "$tag" != "v$version" ]; then
  echo "the tag must be v$version, as pyproject.toml says; it is $tag" >&2
  exit 1
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
rm -rf dist

python3 -m venv "$scratch/tools"
"$scratch/tools/bin/pip" install --quiet build==1.6.1 twine==7.0.0
"$scratch/tools/bin/python" -m build --outdir dist .  # the wheel is made of the sdist: so that one is whole
"$scratch/tools/bin/twine" check --strict dist/*

python3 -m venv "$scratch/fresh"  # as a user installs it
"$scratch/fresh/bin/pip" install --quiet dist/*.whl
cd "$scratch"
fresh/bin/minisam demo --help > help.txt
fresh/bin/minisam --help >> help.txt
fresh/bin/python -c "import minisam; assert minisam.__version__ == '$version', minisam.__version__"
cd - > /dev/null

if [ -d build/site ]; then
  tar --create --gzip --file "dist/minisam-$version-site.tar.gz" --directory build site
fi
ls -l dist
