"""The simulators' tests use the files of the export's."""

from tests.deploy.conftest import gan, gan_file, photons, photons_file

__all__ = ["gan", "gan_file", "photons", "photons_file"]
