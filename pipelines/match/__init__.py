"""staged → matched: who may be whom, by a model that says why."""
