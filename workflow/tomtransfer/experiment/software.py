"""The versions of the packages that results depend on."""

from importlib.metadata import PackageNotFoundError, version

MODEL_SOFTWARE = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "kernels")
"""What a model's answers depend on."""


def model_software() -> str:
    """Return the versions of the packages that a model's answers depend on."""
    found = []
    for package in MODEL_SOFTWARE:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
