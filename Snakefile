include: "workflow/Snakefile"


# An included file cannot say what is built by default.
workflow.default_target = "all"
