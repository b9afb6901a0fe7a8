"""Classical fast simulations: formulas, libraries and tables, as simulators like all others.

One file a method (:mod:`~simulacra.simulators.classical.gflash` and others) and one row of
:data:`~simulacra.simulators.classical.catalogue.CLASSICAL`. :func:`~.build.build` makes one of a
detector and, where the method has anything to learn, of full simulation; :mod:`.store` writes and
reads its folder.
"""
