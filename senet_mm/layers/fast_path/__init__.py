"""SE before the sum in fewer passes over the maps; see autograd."""
