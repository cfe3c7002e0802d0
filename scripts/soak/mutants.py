"""Mutation testing of `rules/`: mutmut changes the code bit by bit, and some test has to notice.

    .venv/bin/python -m scripts.soak.mutants [MODULE …] [--processes N]

MODULE is a file of `rules/` without `.py`, such as `hours` or `pacing.credit` (all of them if none is
named). Prints killed, survived and percent by module, then every survivor that docs/mutants.md does not
explain. Exit status 0 only if 95 % are killed and every survivor is explained. Works on a copy, in which
the modules are not compiled, and puts mutmut itself into the cache folder at its first run: nothing but
this needs it.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections import Counter, defaultdict
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXPLAINED = ROOT / "docs" / "mutants.md"
PACKAGES = ("mutmut==3.8.1", "libcst==1.9.0", "setproctitle==1.3.8", "textual==8.2.8")
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "yobirin"
REQUIRED = 0.95
KILLED = {"killed", "timeout"}
"""What mutmut calls a mutant that was noticed; a test that no longer ends has noticed it too."""

CONFIGURATION = """\
[tool:pytest]
addopts = -p no:cacheprovider -p no:unraisableexception

[mutmut]
source_paths=rules/
also_copy=tests/
pytest_add_cli_args_test_selection=tests/rules/
only_mutate=
{modules}
timeout_multiplier=2
timeout_constant=5
track_dependencies=false
use_git_change_detection=false
process_isolation=forkserver
"""
CONFTEST = """\
import gc
import os
import sys

from hypothesis import Phase, is_hypothesis_test, settings

gc.disable()  # a process that lives for a second needs none: half the time of a run


def pytest_runtest_setup():
    if os.environ.get("MUTANT_UNDER_TEST") != "stats":
        return
    # while mutmut notes which tests reach which function: a cache that another test filled would hide it
    for module in [module for name, module in sys.modules.items() if name[:6] == "rules."]:
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()
            elif hasattr(value, "_newest"):
                value._newest = None


def pytest_collection_modifyitems(items):
    gc.freeze()
    for test in (item.obj for item in items if is_hypothesis_test(item.obj)):
        # few examples, the same in every run; a failing one is as good as a small one; and no test
        # fails because the machine is busy
        own = test._hypothesis_internal_use_settings
        test._hypothesis_internal_use_settings = settings(
            own,
            max_examples=min(10, own.max_examples),
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            deadline=None,
        )
"""
ENVIRONMENT = {
    # on Baker Island it is still yesterday while Japan is at work: a rule that asks the machine fails
    "TZ": "BIT12",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
}
TOO_SLOW = ["test_against_naive.py"]
"""Left out: it plays hundreds of histories, and would notice for tests that should say it themselves."""


def main() -> int:
    """Run, print; 0 only if enough is killed and the rest is explained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="for example: hours")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder)
        lay_out(tree, asked.modules or ["*"])
        mutmut = [tool(), "-m", "mutmut"]
        command = [*mutmut, "run", "--max-children", str(asked.processes)]
        with (tree / "log").open("w") as log:
            ran = subprocess.run(
                command, cwd=tree, env=os.environ | ENVIRONMENT, stdout=log, stderr=log
            )
        if ran.returncode != 0:
            sys.exit((tree / "log").read_text(encoding="utf-8")[-4000:])
        status_of = results(mutmut, tree)
        survivors = [name for name, status in status_of.items() if status not in KILLED]
        changes = {name: change(mutmut, tree, name) for name in survivors}
    share = print_table(status_of)
    explained = set(re.findall(r"^- `([^`]+)` `` (.+?) ``", EXPLAINED.read_text("utf-8"), re.M))
    unexplained = sorted(set(changes.values()) - explained)
    for function, line in unexplained:
        print(f"not explained: - `{function}` `` {line} ``: …")
    print(f"{time.monotonic() - started:.0f} s")
    return 1 if unexplained or share < REQUIRED else 0


def tool() -> str:
    """The Python that has mutmut beside everything this one has."""
    folder = CACHE / f"{PACKAGES[0]}-py{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        print(f"installing {PACKAGES[0]} into {folder} …", file=sys.stderr)
        venv.create(folder, clear=True, symlinks=True)
        (ours,) = folder.glob("lib/python*/site-packages")
        (ours / "project.pth").write_text(sysconfig.get_path("purelib"))
        pip = [python, "-m", "pip", "--disable-pip-version-check", "-qq", "install"]
        subprocess.run([*pip, *PACKAGES], check=True)
        (folder / "complete").touch()
    return str(python)


def lay_out(tree: Path, modules: Sequence[str]) -> None:
    """What mutmut needs and no more: the rules, their tests, its settings."""
    leave_out = shutil.ignore_patterns("__pycache__", *TOO_SLOW)
    for part in ("rules", "tests/rules"):
        shutil.copytree(ROOT / part, tree / part, ignore=leave_out)
    paths = [f"rules/{module.replace('.', '/')}.py" for module in modules]
    for file in (tree / "rules").rglob("*.py"):
        if any(fnmatch(str(file.relative_to(tree)), path) for path in paths):
            file.write_text(undecorated(file.read_text("utf-8")), encoding="utf-8")
    (tree / "tests" / "__init__.py").touch()
    (tree / "tests" / "conftest.py").write_text(CONFTEST)
    wanted = "\n".join(f"    {path}" for path in paths)
    (tree / "setup.cfg").write_text(CONFIGURATION.format(modules=wanted))


def undecorated(code: str) -> str:
    """The same code with its decorators put on afterwards: mutmut leaves decorated functions alone.

    Nothing in it is compiled any more: a mutant could not be switched on.
    """
    code = code.replace("@njit(cache=True)\n", "")
    lines = code.splitlines()
    functions = [one for one in ast.walk(ast.parse(code)) if isinstance(one, ast.FunctionDef)]
    for function in sorted(functions, key=lambda one: one.lineno, reverse=True):
        decorators = [ast.unparse(one) for one in function.decorator_list]
        if not set(decorators) - {"classmethod", "staticmethod"}:
            continue  # mutmut knows these
        wrapped = "".join(f"{one}(" for one in decorators) + function.name + ")" * len(decorators)
        lines.insert(function.end_lineno, f"{' ' * function.col_offset}{function.name} = {wrapped}")
        del lines[function.decorator_list[0].lineno - 1 : function.lineno - 1]
    return "\n".join(lines) + "\n"


def results(mutmut: Sequence[str], tree: Path) -> dict[str, str]:
    """Every mutant's name with what became of it."""
    told = told_by([*mutmut, "results", "--all", "true"], tree)
    lines = (line.strip().rpartition(": ") for line in told.splitlines())
    return {name: status for name, _, status in lines if name}


def change(mutmut: Sequence[str], tree: Path, name: str) -> tuple[str, str]:
    """A mutant's function, and the line as it was changed (or was, where lines were taken out)."""
    diff = told_by([*mutmut, "show", name], tree).splitlines()
    added = [line[1:].strip() for line in diff if re.match(r"\+(?!\+\+)", line)]
    removed = [f"- {line[1:].strip()}" for line in diff if re.match(r"-(?!--)", line)]
    return ".".join(module_and_function(name)), (added or removed)[0]


def module_and_function(name: str) -> tuple[str, str]:
    """`rules.pacing.mode.x__enough__mutmut_7` → `pacing.mode`, `_enough`; a method with its class."""
    module, _, mangled = name.removeprefix("rules.").rpartition(".")
    plain = mangled.rpartition("__mutmut_")[0].removeprefix("x_").removeprefix("xǁ")
    return module, plain.replace("ǁ", ".")


def told_by(command: Sequence[str], tree: Path) -> str:
    """What a command of mutmut prints."""
    return subprocess.run(command, cwd=tree, check=True, capture_output=True, text=True).stdout


def print_table(status_of: dict[str, str]) -> float:
    """Print the figures by module; return the share killed of all."""
    by_module: dict[str, Counter[bool]] = defaultdict(Counter)
    for name, status in status_of.items():
        by_module[module_and_function(name)[0]][status in KILLED] += 1
    print(f"{'module':<18}{'killed':>8}{'survived':>10}{'percent':>9}")
    for module, counts in [*sorted(by_module.items()), ("all", sum(by_module.values(), Counter()))]:
        share = counts[True] / counts.total()
        print(f"{module:<18}{counts[True]:>8}{counts[False]:>10}{share:>9.1%}")
    return share


if __name__ == "__main__":
    sys.exit(main())
