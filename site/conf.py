"""Sphinx's settings."""

import re
import sys
import textwrap
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import sources
from docutils import nodes

import minisam

project, author, release = "minisam", "minisam contributors", minisam.__version__
project_copyright = author
html_title = "minisam"
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax", "sphinx.ext.viewcode"]
exclude_patterns = ["**/.ipynb_checkpoints"]
nb_execution_mode = "off"  # make.py has run the lessons
nb_merge_streams = True
nb_code_prompt_show = "Show the solution"
nb_code_prompt_hide = "Hide the solution"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
mathjax_path = "mathjax/tex-chtml.js"
highlight_language = "none"
default_role = "py:obj"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
add_module_names = False
napoleon_google_docstring, napoleon_use_rtype = False, False

UNUSED = r"pygments|mystnb|doctools|documentation_options|sphinx_highlight"  # on the first page, which has no code

html_theme = "furo"
html_favicon = "favicon.svg"
html_baseurl = sources.BASE
html_static_path = [
    "style.css",
    "sorted.mjs",
    "copy.mjs",
    *(f"explorable/{name}" for name in ("explorable.css", "sam.mjs", "drawing.mjs", "live.mjs")),
]
html_css_files = ["style.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"light_css_variables": {"color-brand-primary": "#0072B2", "color-brand-content": "#0072B2"}}
html_theme_options["dark_css_variables"] = {"color-brand-primary": "#56B4E9", "color-brand-content": "#56B4E9"}
if sources.REPOSITORY:
    html_theme_options["source_repository"] = f"https://github.com/{sources.REPOSITORY}"


def setup(app):
    def keep_formulas(app, what, name, thing, options, lines):
        """A constant says nothing; what it seems to say is its type's docstring."""
        lines[:] = [] if what == "data" else sources.as_rst(lines)

    app.connect("autodoc-process-docstring", keep_formulas, priority=100)  # before napoleon
    app.connect("html-page-context", introduce)


def introduce(app, pagename, templatename, context, doctree):
    """What a search engine or a message shows of a page: its title, its first paragraph, a picture."""
    first = next((part.astext() for part in doctree.findall(nodes.paragraph)), "") if doctree else ""
    words = textwrap.shorten(first, 200, placeholder=" …") or "Sharpness-Aware Minimization, small enough to read"
    title = "minisam" if pagename == "index" else f"{context.get('title', '')} · minisam"
    told = {
        "og:title": title,
        "og:description": words,
        "og:type": "website",
        "og:image": sources.BASE + picture(doctree),
    }
    tags = [f'<meta name="description" content="{escape(words)}">']
    tags += [f'<meta property="{name}" content="{escape(value)}">' for name, value in told.items()]
    context["metatags"] = context.get("metatags", "") + "\n".join(tags)
    if pagename == "index":
        app.add_css_file("explorable.css")
        for kind in ("css_files", "script_files"):
            context[kind] = [
                each for each in context[kind] if not re.search(UNUSED, str(getattr(each, "filename", each)))
            ]
    else:
        app.add_js_file("copy.mjs", type="module")


def picture(doctree):
    """The first picture of a page; the first page's, where there is none."""
    images = doctree.findall(nodes.image) if doctree else ()
    drawn = (Path(image["uri"]).name for image in images if image["uri"].endswith(".png"))
    return next((f"_images/{name}" for name in drawn), "figures/sam.png")
