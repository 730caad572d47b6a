"""Films: pictures along a walk through the latent space, with values that are swept or driven by a track."""
