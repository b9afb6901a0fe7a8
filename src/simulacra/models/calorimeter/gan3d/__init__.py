"""The 3D GAN of GeantV, for fixed and for variable angles of incidence."""
