"""The documentation site: `make site`. Everything it needs lies in docs/; nothing is fetched while it is built."""

project = "finnews"
author = "the finnews team"
copyright = "the finnews team"
extensions = ["myst_nb"]
exclude_patterns = ["_build", "notebooks/sample-lake"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# The notebook is shown as it was last run; a test runs it anew.
nb_execution_mode = "off"
html_theme = "furo"
html_title = "finnews"
html_show_sourcelink = False
