"""`python -m paraminspect`."""

from paraminspect.cli.main import run

if __name__ == "__main__":
    run()
