# What figures and tables have in common: each is declared in a file of its own, beside the function that makes it.
try:
    FIGURES = report_parts.declared_figures()
    TABLES = report_parts.declared_tables()
except UserError as error:
    raise WorkflowError(str(error)) from None

# The shared caption prints the declared one.
CAPTION = "../report/part.rst"


def whole(name, tier):
    """Return what an experiment's report is made of."""
    return small(name, tier) + results_of(name, tier, ["explorer"])


def small(name, tier):
    """Return its tables and figures, and where they come from: what is published."""
    return results_of(name, tier, [*report_parts.report_files(SETTINGS[tier][name]), "provenance.json"])


def optional(name, tier):
    """Return the parts that a report need not have."""
    return results_of(name, tier, report_parts.report_files(SETTINGS[tier][name], True))


def checked(name, tier, check):
    """Return the figures of a check, and the tables that they show."""
    return results_of(name, tier, report_parts.check_files(SETTINGS[tier][name], check))


def own_table(name):
    """Return the declaration of a table that has a rule of its own."""
    (table,) = (table for file, table in TABLES.items() if file.stem == name)
    return table


def in_report(path, part):
    """Output: a file that is shown in the report."""
    return report(path, caption=CAPTION, category="{name}", subcategory=part.section)


def caption(part, name=""):
    """Params: what the report says of a part, and of the tables beside it. Never compared: it changes no result."""
    beside = getattr(part, "beside", {})
    text = [f"``{name}``: {part.caption}", *(f"``{other}``: {beside[other]}" for other in beside if beside[other])]
    return lambda w, input: "\n\n".join(text) if beside else part.caption


def figure_title(figure):
    """Params: what stands above a figure."""
    return lambda w: f"{w.name} ({w.tier}): {figure.title}"


def files_of(part):
    """Input: the files that a part reads."""

    def found(w):
        s = settings_of(w)
        paths = [path for pattern in part.reads.values() for path in report_parts.files(pattern, s).values()]
        return [file for path in paths for file in (folder_files(w, path) if path[-1] == "/" else below(w, [path]))]

    return found


def folder_files(w, folder):
    """Return the files of a folder that is read as a whole."""
    known = {"data/": PREPARED, "targets/": [TARGETS, *pictures_of(w)]}
    if folder not in known:
        raise WorkflowError(f"reads: found the folder {folder!r}; allowed: {', '.join(known)}, or files by their names")
    return [file.format(tier=w.tier, name=w.name) for file in known[folder]]


def part_code(script, file):
    """Input: the code that makes a part."""
    return lambda w: code(script, file)


def values_of(part):
    """Params: the values of the settings that a part is made from."""
    return lambda w: json.dumps(part.values(settings_of(w)))


def part_arguments(file):
    """Params: what the scripts take; not compared, since of all settings those count that `values_of` names."""
    return lambda w, input: " ".join(
        shlex.quote(word)
        for word in (os.path.relpath(file), "--folder", root_of(w), "--settings", json.dumps(settings_of(w)))
    )
