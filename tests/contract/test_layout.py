"""What the tree must never hold."""

import pathlib
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).parents[2]


def test_the_folder_operator_is_no_package() -> None:
    # It would shadow the standard library's `operator`, and Python would not even start from here.
    assert not (REPOSITORY / "operator" / "__init__.py").exists()


def test_the_standard_library_keeps_its_operator() -> None:
    code = "import operator; print(operator.__name__, operator.itemgetter.__name__)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["operator", "itemgetter"]
