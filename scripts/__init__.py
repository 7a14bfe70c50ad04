"""What the Makefile runs: `python -m scripts.up`, `.down`, `.push`, from the root of the repository."""
