"""What the theme's and the notebooks' HTML lacks for those who read by key or by ear. tests/browser/axe.test.mjs holds it."""

MENDS = (
    ("<pre>", '<pre tabindex="0">'),  # code that is wider than its column scrolls by the arrow keys
    ('<summary aria-label="Toggle hidden content">', "<summary>"),  # its name is what it shows
    ('<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="All pages">'),
    ('<aside class="toc-drawer', '<aside aria-label="On this page" class="toc-drawer'),
    ('<div id="search-results">', '<h1>Search</h1>\n<div id="search-results">'),
    (
        '<div class="table-wrapper colwidths-auto',
        '<div tabindex="0" class="table-wrapper colwidths-auto',
    ),  # wide tables, too
)


def mended(html):
    """A page of Sphinx's with what it lacks."""
    for find, replace in MENDS:
        html = html.replace(find, replace)
    return html
