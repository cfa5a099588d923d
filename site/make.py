"""Build the site into build/site: the lessons as pages and in JupyterLite, and the reference.

python site/make.py                  # runs the lessons first, those that changed
python site/make.py --execute off    # shows them without their results
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pydoc_data import topics

import claims_page
import mending
import nbformat
import sources
from tqdm.auto import tqdm

ROOT = sources.ROOT
BUILD = ROOT / "build"
SITE, PAGES, RUNS, LITE, WHEELS = (BUILD / name for name in ("site", "pages", "runs", "lite", "wheels"))
NPM = BUILD / "npm" / "node_modules"
EXTENSIONS = Path(sys.prefix) / "share" / "jupyter" / "labextensions"

PACKAGES = "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/"  # Pyodide's own: the browser verifies the SHA-256 of each
RUNTIME = ("pyodide.js", "pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
WHEELS_TXT = ROOT / "site" / "wheels.txt"
PINNED = [line.split()[0] for line in WHEELS_TXT.read_text().splitlines() if not line.startswith("#")]
INSTALL = f"""\
# Only in the browser, where it takes some seconds.
%pip install -q minisam {" ".join(PINNED)}
import logging

logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it tells that its first start is slow"""
KERNEL = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{}</urlset>
"""
STILL = "*Here stands a widget: move it in the browser, or in Jupyter.*"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--execute", choices=("on", "off"), default="on", help="run the lessons (default: on)")
    for folder in (SITE, PAGES, LITE, WHEELS):
        shutil.rmtree(folder, ignore_errors=True)
    sources.gather(PAGES)
    if options.parse_args().execute == "on":
        execute()
    figures()
    sphinx()
    for_search_engines()
    jupyterlite()
    print(f"{SITE.relative_to(ROOT)}/index.html: python -m http.server --directory {SITE.relative_to(ROOT)} shows it")


def run(*command, folder=ROOT, **environment):
    command = [sys.executable, "-m", *map(str, command)]
    subprocess.run(command, cwd=folder, check=True, env=os.environ | environment)


# --- lessons with their results --------------------------------------------------------------------------------------


def execute():
    """Run the lessons that changed, or whose library did, two at a time."""
    library = sorted([*(ROOT / "minisam").rglob("*.py"), *(PAGES / "lessons").glob("*.py")])
    state = hashlib.sha256(b"".join(path.read_bytes() for path in library))

    def executed(path):
        key = state.copy()
        key.update(path.read_bytes())
        kept = RUNS / key.hexdigest() / path.name
        if not kept.exists():
            convert(path, kept.parent)
        notebook = nbformat.read(kept, as_version=4)
        sources.write(path, nbformat.writes(still(notebook)))

    paths = sorted((PAGES / "lessons").glob("*.ipynb"))
    with ThreadPoolExecutor(2) as pool:
        list(tqdm(pool.map(executed, paths), total=len(paths), unit="lesson", leave=False, disable=None))


def convert(path, folder):
    """Run a lesson, on one thread; and once more if it fails, as a kernel now and then never answers."""
    how = ["--to", "notebook", "--execute", "--ExecutePreprocessor.timeout=300", "--log-level=ERROR"]
    command = ["nbconvert", *how, path, "--output-dir", folder]
    try:
        run(*command, OMP_NUM_THREADS="1")
    except subprocess.CalledProcessError:
        run(*command, OMP_NUM_THREADS="1")


def still(notebook):
    """Each widget replaced by what it shows at the start; it moves only where Python runs."""
    widgets = notebook.metadata.pop("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})

    def shown(model):
        """The outputs inside a widget."""
        state = widgets.get(model, {}).get("state", {})
        yield from map(nbformat.from_dict, state.get("outputs", []))
        for child in state.get("children", []):
            yield from shown(child.removeprefix("IPY_MODEL_"))

    for cell in notebook.cells:
        outputs = []
        for output in cell.get("outputs", []):
            view = output.get("data", {}).get("application/vnd.jupyter.widget-view+json")
            if view and (picture := list(shown(view["model_id"]))):
                note = nbformat.v4.new_output("display_data", {"text/markdown": STILL})
                outputs += [note, *picture]
            elif not view:  # what shows nothing was a progress bar
                outputs.append(output)
        if "outputs" in cell:
            cell.outputs = outputs
    return notebook


# --- pages -----------------------------------------------------------------------------------------------------------


def figures():
    """The figures of the first page, as they look without scripts."""
    still = ["node", ROOT / "site" / "explorable" / "still.mjs"]
    race, look = subprocess.run(still, check=True, capture_output=True, encoding="utf-8").stdout.split(
        "<!-- between -->"
    )
    sources.write(PAGES / "race.html", race)
    sources.write(PAGES / "look.html", look)


def for_search_engines():
    """The list of all pages, and the page for those that are not there."""
    pages = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
    urls = "".join(f"<url><loc>{sources.BASE}{page}</loc></url>\n" for page in pages)
    sources.write(SITE / "sitemap.xml", SITEMAP.format(urls))
    missing = (ROOT / "site" / "404.html").read_text(encoding="utf-8")
    sources.write(SITE / "404.html", missing.replace("BASE", sources.BASE))


def sphinx():
    """The pages, with MathJax beside them. A warning is an error."""
    run("sphinx", "-q", "-E", "-W", "--keep-going", "-c", ROOT / "site", "-d", BUILD / "doctrees", PAGES, SITE)
    for page in SITE.rglob("*.html"):
        page.write_text(mending.mended(page.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copytree(PAGES / "figures", SITE / "figures", dirs_exist_ok=True)
    static = SITE / "_static" / "mathjax"
    static.mkdir(parents=True)
    shutil.copy(NPM / "mathjax" / "es5" / "tex-chtml.js", static)
    fonts = Path("output", "chtml", "fonts", "woff-v2")
    shutil.copytree(NPM / "mathjax" / "es5" / fonts, static / fonts)


# --- JupyterLite -----------------------------------------------------------------------------------------------------


def jupyterlite():
    """The lessons where Python runs in the browser: all from here, but Pyodide's own packages from their public place."""
    wheels()
    notebooks = {path.name: nbformat.read(path, as_version=4) for path in sources.lessons()}
    notebooks |= {f"claim_{name}.ipynb": claims_page.notebook(name) for name in claims_page.SMALL}
    for name, notebook in notebooks.items():
        notebook.cells.insert(1, nbformat.v4.new_code_cell(INSTALL, id="install"))
        notebook.metadata["kernelspec"] = KERNEL
        sources.write(LITE / "files" / name, nbformat.writes(notebook))
    for path in [*sources.beside_lessons(), ROOT / "evidence" / "measuring.py"]:
        shutil.copy(path, LITE / "files")
    sources.copy_records(LITE / "files")
    help_texts = LITE / "files" / "pydoc_data"  # for `data.text`: Pyodide leaves them out
    help_texts.mkdir()
    shutil.copy(topics.__file__, help_texts)
    extensions = ["@jupyterlite/pyodide-kernel-extension", "@jupyter-widgets/jupyterlab-manager"]
    settings = {
        "contents": [str(LITE / "files")],
        "apps": ["lab", "notebooks", "tree"],
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        "ignore_sys_prefix": ["federated_extensions"],
        "federated_extensions": [str(EXTENSIONS / name) for name in extensions],
    }
    config = {"LiteBuildConfig": settings, "PipliteAddon": {"piplite_urls": [str(WHEELS)]}}
    (LITE / "jupyter_lite_config.json").write_text(json.dumps(config))
    run("jupyter", "lite", "build", "--output-dir", SITE / "lite", folder=LITE)
    pyodide(SITE / "lite" / "static" / "pyodide")
    configure(SITE / "lite" / "jupyter-lite.json")


def wheels():
    """minisam's wheel, and those in wheels.txt."""
    run("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", WHEELS, ROOT)
    pinned = ["--only-binary=:all:", "--require-hashes", "--requirement", WHEELS_TXT]
    run("pip", "download", "--quiet", "--no-deps", "--dest", WHEELS, *pinned)


def pyodide(folder):
    """Pyodide's runtime, which npm has verified, with a lock that names where its packages are, and the SHA-256 of each."""
    folder.mkdir(parents=True)
    for name in RUNTIME:
        shutil.copy(NPM / "pyodide" / name, folder)
    lock = json.loads((NPM / "pyodide" / "pyodide-lock.json").read_text())
    for package in lock["packages"].values():
        package["file_name"] = PACKAGES + package["file_name"]
    (folder / "pyodide-lock.json").write_text(json.dumps(lock))


def configure(path):
    """The kernel's settings, in the file that the build wrote: where Pyodide is, and that no other index is asked."""
    config = json.loads(path.read_text())
    settings = config["jupyter-config-data"].setdefault("litePluginSettings", {})
    kernel = settings.setdefault("@jupyterlite/pyodide-kernel-extension:kernel", {})
    kernel |= {"pyodideUrl": "./static/pyodide/pyodide.js", "disablePyPIFallback": True}
    path.write_text(json.dumps(config, indent=2))


if __name__ == "__main__":
    main()
