"""Sphinx's configuration of the site (scripts/site)."""
project = "yolov7.cpp"
copyright = "the authors of yolov7.cpp, Apache-2.0"
root_doc = "docs/index"
extensions = ["myst_parser"]
myst_heading_anchors = 6  # links to headings, as GitHub names them
html_theme = "furo"
html_title = "yolov7.cpp"
html_show_sphinx = False
html_copy_source = False
html_permalinks_icon = "#"
html_static_path = ["docs/static"]
html_css_files = ["site.css"]
# Relative to a page; the look needs nothing from the network.
html_theme_options = {"source_repository": "", "navigation_with_keys": True}
suppress_warnings = ["misc.highlighting_failure"]  # console output in blocks
