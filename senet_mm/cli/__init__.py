"""The command lines, a module for each; tools/*.py are shims of them."""
