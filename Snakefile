# The door. The workflow itself is workflow/Snakefile, the place where workflow catalogues look for it.
include: "workflow/Snakefile"


# An include forgets the default target; without this line `snakemake` would do nothing.
workflow.default_target = "all"
