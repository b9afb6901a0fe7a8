"""The default generator of tracks: a helix, smooth residuals, and pad rows one by one."""
