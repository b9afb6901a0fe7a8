"""A package of somebody else: a kind of detector, observables, a model, a classical simulator."""
