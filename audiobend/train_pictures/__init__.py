"""Training picture models: StyleGAN2 on folders of pictures, or of sound, which becomes coloured tiles."""
