"""Measures of the code itself: how many files know one concept, how wide calls are, how much is explained.

    python benchmarks/house_measures.py            # this tree
    python benchmarks/house_measures.py ROOT       # another checkout

Everything is read from the syntax trees of `ROOT/nmsim` and `ROOT/tests`; nothing is imported. A file "names" a thing if
it writes it outside of docstrings and comments. A rule is named by its value or member, a figure and a state variable by
the example written in the row: the files a second one like it would have to enter.
"""

import ast
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

RULES = {"inference", "stbp", "stop-w", "stop-wt", "stop-wl", "stop-wtl"}
"""Values of rules. `stop` is no rule but the name of a recorded activity, and of a core."""
RULE_MEMBERS = {"STBP", "STOP_W", "STOP_WT", "STOP_WL", "STOP_WTL"}
FIGURES = {
    *("energy_j", "energy_per_sample_j", "latency_s", "latency_per_sample_s", "power_w", "edp_js"),
    *("throughput_per_s", "throughput_samples_per_s", "memory_bits", "memory_used_bits", "area_mm2"),
}
NOUNS = (
    *("NetworkSpec", "Precision", "WorkloadSpec", "Activity", "ChipConfig"),
    *("Mapping", "Deployment", "Evaluation", "Run", "NmsimError", "QFormat", "Study", "Comparison"),
)
VERBS = ("train", "deploy", "evaluate", "compare", "sweep", "search", "validate", "report", "load", "save")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Trees = dict[str, tuple[str, ast.Module]]


def parsed(root: Path, folder: str) -> Trees:
    """Text and syntax tree by path."""
    return {
        str(path.relative_to(root)): (text := path.read_text(), ast.parse(text))
        for path in sorted((root / folder).rglob("*.py"))
    }


def docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Docstrings of a module, its classes and functions, and the strings under fields."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value


def words(tree: ast.Module) -> set[str]:
    """Strings, names, attributes, keywords and parameters that a module writes outside of docstrings."""
    prose = {id(node) for node in docstrings(tree)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            found.add(node.value)
        elif isinstance(node, ast.Attribute):
            found |= {node.attr, f".{node.attr}"}
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.keyword | ast.arg) and node.arg:
            found.add(node.arg)
    return found


def strings(tree: ast.Module) -> set[str]:
    """String constants of a module."""
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def names(tree: ast.Module) -> set[str]:
    """Variables that a module reads or writes; members of its own enumerations are none."""
    inside = {id(target) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
              for item in node.body if isinstance(item, ast.Assign) for target in item.targets}  # fmt: skip
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in inside}


def naming(trees: Trees, *wanted: str, least: int = 1) -> list[str]:
    """Files that write at least `least` of the words."""
    return [path for path, (_, tree) in trees.items() if len(words(tree) & set(wanted)) >= least]


def figure_homes(trees: Trees) -> list[str]:
    """Files that spell figures out as data: at least three of their names as whole strings."""
    return [path for path, (_, tree) in trees.items() if len(strings(tree) & FIGURES) >= 3]


def widest(trees: Trees, prefix: str) -> tuple[int, str]:
    """Most positional arguments of a call, a star counting as one."""
    calls = [
        (len(node.args), f"{path}:{node.lineno}")
        for path, (_, tree) in trees.items() if path.startswith(prefix)
        for node in ast.walk(tree) if isinstance(node, ast.Call) and not is_type(node)
    ]  # fmt: skip
    return max(calls, default=(0, ""))


def is_type(call: ast.Call) -> bool:
    """Whether a call makes a record or a signature (its name begins with a capital, or it is numba's `tuple`)."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name[:1].isupper() or name in {"void", "Tuple", "max", "min"}


def parameters(trees: Trees, path: str, function: str) -> int:
    """Parameters of a module's function."""
    for node in trees[path][1].body:
        if isinstance(node, FUNCTIONS) and node.name == function:
            return len(node.args.posonlyargs) + len(node.args.args) + len(node.args.kwonlyargs)
    return 0


def twice(names: list[str]) -> tuple[int, int]:
    """Names that occur more than once, and how many bear such a name."""
    repeated = [count for count in Counter(names).values() if count > 1]
    return len(repeated), sum(repeated)


def class_names(trees: Trees) -> list[str]:
    """Names of public and private classes at module level."""
    return [node.name for _, tree in trees.values() for node in tree.body if isinstance(node, ast.ClassDef)]


def module_names(trees: Trees) -> list[str]:
    """File names, packages left out."""
    return [Path(path).name for path in trees if not path.endswith("__init__.py")]


def exported(trees: Trees) -> list[str]:
    """What `nmsim.__all__` holds, or the keys of the table it is made from."""
    found: list[str] = []
    for node in trees["nmsim/__init__.py"][1].body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if getattr(target, "id", "") in {"__all__", "_HOMES"}:
            found += [
                item.value
                for item in ast.walk(node)
                if isinstance(item, ast.Constant) and isinstance(item.value, str)
            ]
    return [name for name in dict.fromkeys(found) if "." not in name]


def docstring_share(trees: Trees) -> float:
    """Lines of docstrings among all lines."""
    prose = sum(node.end_lineno - node.lineno + 1 for _, tree in trees.values() for node in docstrings(tree))
    return prose / sum(text.count("\n") for text, _ in trees.values())


def examples(trees: Trees) -> int:
    """Docstrings that hold an example."""
    return sum(">>> " in str(node.value) for _, tree in trees.values() for node in docstrings(tree))


def rows(root: Path) -> Iterator[tuple[str, object, str]]:
    """Measure, value, goal."""
    code, tests = parsed(root, "nmsim"), parsed(root, "tests")
    rule_files = [path for path, (_, tree) in code.items() if knows_rules(tree)]
    yield "files", len(code), "-"
    yield "lines", sum(text.count("\n") for text, _ in code.values()), "-"
    yield "longest file, lines", max(text.count("\n") for text, _ in code.values()), "-"
    yield "files that name a learning rule or inference", len(rule_files), "<= 12"
    yield "files that name a rule that learns", len([p for p in rule_files if learns(code[p][1])]), "-"
    yield "homes of figures (files that spell out three or more)", len(figure_homes(code)), "1"
    yield "files that name one figure (EDP)", len(figure_files(code)), "2"
    yield "files that name one rule (STBP)", len(naming(code, "stbp", "STBP", "stbp-stored")), "6"
    yield "files that name one state variable (threshold trace)", len(state_files(code)), "9"
    yield (
        "most positional arguments of a call in stop/fixed",
        "{} ({})".format(*widest(code, "nmsim/stop/fixed")),
        "<= 8",
    )
    yield "parameters of evaluate", parameters(code, "nmsim/evaluate.py", "evaluate"), "<= 6"
    yield "class names defined twice", "{} by {} classes".format(*twice(class_names(code))), "<= 12"
    yield "modules that share a file name", twice(module_names(code))[1], "<= 70"
    public = exported(code)
    yield "nouns exported", sum(noun in public for noun in NOUNS), ">= 10"
    yield "verbs exported", f"{sum(verb in public for verb in VERBS)} of {len(VERBS)}", "all"
    yield "names exported", len(public), "-"
    yield "names in dir(nmsim)", len(public) if "def __dir__" in code["nmsim/__init__.py"][0] else 0, "all"
    yield "py.typed", "yes" if (root / "nmsim/py.typed").exists() else "no", "yes"
    yield "docstring share of lines, %", round(100 * docstring_share(code), 1), ">= 15"
    yield "docstrings with an example", examples(code), ">= 30"
    yield "comment lines", comments(code), "-"
    yield "tests of the architecture", sum("architecture" in path for path in tests), ">= 1"


def knows_rules(tree: ast.Module) -> bool:
    """Whether a file writes the value or the member of a learning rule."""
    members = {f".{member}" for member in RULE_MEMBERS}
    return bool(strings(tree) & RULES or words(tree) & members or names(tree) & {"INFERENCE", *RULE_MEMBERS})


def learns(tree: ast.Module) -> bool:
    """Whether a file that knows rules knows one that learns, and not only inference."""
    return bool(strings(tree) & (RULES - {"inference"}) or words(tree) & RULE_MEMBERS)


def figure_files(trees: Trees) -> list[str]:
    """Files that name the energy-delay product."""
    return [path for path, (_, tree) in trees.items() if any(name(word, "edp") for word in words(tree))]


def state_files(trees: Trees) -> list[str]:
    """Files that name the threshold trace."""
    return [
        path
        for path, (_, tree) in trees.items()
        if any("threshold_trace" in word.lower() for word in words(tree))
    ]


def name(word: str, part: str) -> bool:
    """Whether a word is, or begins with, a name."""
    low = word.lower()
    return low == part or low.startswith(f"{part}_")


def comments(trees: Trees) -> int:
    """Lines that are a comment and nothing else, directives to tools left out."""
    lines = (line.strip() for text, _ in trees.values() for line in text.splitlines())
    return sum(line.startswith("# ") and "noqa" not in line and "fmt:" not in line for line in lines)


def main(show: Callable[[str], None] = print) -> None:
    """Print the table."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    show(f"{'measure':60} {'value':>40} {'goal':>8}")
    for measure, value, goal in rows(root):
        show(f"{measure:60} {value!s:>40} {goal:>8}")


if __name__ == "__main__":
    main()
