# SPDX-License-Identifier: MIT
# The site of all documentation, built by scripts/site. The pages are those of the tree, unchanged; what only the site
# needs is added while they are read.
import os
import re
import shutil

project = "FeatherID"
html_title = "FeatherID"
author = "the FeatherID contributors"
language = "en"

extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["*.md", "docs/**.md"]
html_theme = "furo"
html_copy_source = False
html_show_copyright = False
myst_heading_anchors = 4
suppress_warnings = ["myst.header", "misc.highlighting_failure"]
# Many blocks are a shell with its answers. Colours that are not quite right are no fault.
highlight_language = "none"

# The sidebar. Each part lists pages in an order in which one reads them; a star stands for all others.
PARTS = {
    "First": ["docs/README", "docs/tutorial", "docs/first_ids", "docs/when_not_to_use", "docs/glossary"],
    "Ways in": ["docs/embedding", "docs/http_api", "docs/redis", "docs/lease_api", "docs/command_line",
                "docs/formats", "docs/scramble"],
    "Operating": ["docs/operating/README", "docs/operating/*"],
    "Migrating": ["docs/migrating/README", "docs/migrating/*"],
    "Inside": ["docs/architecture", "docs/assurance", "docs/testing", "docs/performance", "docs/decisions/README",
               "docs/decisions/*"],
    "Project": ["docs/compatibility", "CONTRIBUTING", "CHANGELOG", "SECURITY"],
    "中文": ["README.zh-CN", "docs/tutorial.zh-CN"],
}

LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s]+)\)")
shown = set()  # files and folders of the tree that pages link to, and that are not pages


def sidebar():
    text = ""
    for name, pages in PARTS.items():
        text += "\n```{toctree}\n:hidden:\n:glob:\n:caption: " + name + "\n" + "\n".join(pages) + "\n"
        text += "```\n"
    return text


def site_target(app, docname, target):
    """The address on the site of a file that is not a page, or None."""
    path = os.path.normpath(os.path.join(os.path.dirname(docname), target))
    if "://" in target or not os.path.exists(os.path.join(app.srcdir, path)):
        return None
    if path == "include/featherid":
        address = "api/files.html"
    elif path.startswith("include/featherid/"):
        address = "api/" + os.path.basename(path).replace("_", "__").replace(".", "_8") + ".html"
    elif path.startswith("docs") or (path.endswith(".md") and "/" not in path):
        return None
    else:
        shown.add(path)
        address = "source/" + path + ("/index.html" if os.path.isdir(os.path.join(app.srcdir, path)) else ".txt")
    return os.path.relpath(address, os.path.dirname(docname) or ".")


def read_page(app, docname, source):
    def replace(match):
        address = site_target(app, docname, match[2])
        return match[0] if address is None else '<a href="%s">%s</a>' % (address, match[1])

    source[0] = LINK.sub(replace, source[0])
    if docname == root_doc:
        source[0] += sidebar()


def copy_shown(app, exception):
    """Puts the files that pages link to beside them, as text."""
    if exception is not None:
        return
    for path in sorted(shown):
        origin, copy = os.path.join(app.srcdir, path), os.path.join(app.outdir, "source", path)
        if not os.path.isdir(origin):
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copyfile(origin, copy + ".txt")
            continue
        os.makedirs(copy, exist_ok=True)
        names = [name for name in sorted(os.listdir(origin)) if os.path.isfile(os.path.join(origin, name))]
        for name in names:
            shutil.copyfile(os.path.join(origin, name), os.path.join(copy, name + ".txt"))
        with open(os.path.join(copy, "index.html"), "w", encoding="utf-8") as page:
            page.write("<!doctype html><meta charset=utf-8><title>%s</title><h1>%s</h1><ul>" % (path, path))
            page.writelines('<li><a href="%s.txt">%s</a>' % (name, name) for name in names)
            page.write("</ul>\n")


def setup(app):
    app.connect("source-read", read_page)
    app.connect("build-finished", copy_shown)
