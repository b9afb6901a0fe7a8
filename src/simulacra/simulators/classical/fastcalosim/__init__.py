"""FastCaloSim V2: principal components of layer energies, and lateral histograms of hits."""
