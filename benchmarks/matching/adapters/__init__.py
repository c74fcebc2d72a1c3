"""One module for each contender: it reads what `contract` hands it, matches as its makers document, and answers."""
