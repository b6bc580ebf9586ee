"""The package as a user gets it: built, installed in a bare environment, and run there."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pages import as_pattern, blocks, steps

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.package


def done(*command, **options):
    """What a program prints; it must end with 0."""
    ended = subprocess.run(
        [*map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        **options,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from the source distribution as an index would get it."""
    folder = tmp_path_factory.mktemp("dist")
    done(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    assert len(list(folder.glob("*.tar.gz"))) == 1
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def scripts(wheel, tmp_path_factory):
    """The programs of an environment that has the wheel and nothing else of ours."""
    bare = tmp_path_factory.mktemp("bare")
    done(sys.executable, "-m", "venv", bare)
    done(bare / "bin" / "python", "-m", "pip", "install", "--quiet", wheel)
    return bare / "bin"


def test_the_wheel_has_the_package_and_the_sample_models_and_no_tests(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    inside = {f"paraminspect/{p.relative_to(ROOT)}" for p in (ROOT / "sample_models").rglob("*.*")}
    assert {name for name in inside if "__pycache__" not in name} <= names
    assert {"paraminspect/py.typed", "paraminspect/__main__.py"} <= names
    tops = {name.split("/")[0] for name in names}
    assert {top.split("-")[0] for top in tops} == {"paraminspect"}


def test_the_readme_holds_for_what_is_installed(scripts, tmp_path):
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"}
    done(scripts / "python", "-m", "paraminspect.sample_models", cwd=tmp_path)
    page, python = ROOT / "README.md", tmp_path / "python.txt"
    for line, language, block in blocks(page, ("console", "pycon")):
        if language == "pycon":
            python.write_text(python.read_text() + block if python.exists() else block)
            flags = ("-o", "ELLIPSIS", "-o", "NORMALIZE_WHITESPACE")
            done(scripts / "python", "-m", "doctest", *flags, python, cwd=tmp_path, env=environment)
            continue
        for command, expected in steps(block):
            if command.startswith("make "):
                continue
            ended = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                check=False,
            )
            shown = f"{page.name}:{line}: $ {command}\n{ended.stdout}"
            assert as_pattern(expected).fullmatch(ended.stdout), shown


def test_sample_models_are_not_copied_over_what_is_there(scripts, tmp_path):
    (tmp_path / "sample_models").mkdir()
    ended = subprocess.run(
        [scripts / "python", "-m", "paraminspect.sample_models"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (1, "sample_models: File exists\n")
    assert list((tmp_path / "sample_models").iterdir()) == []
