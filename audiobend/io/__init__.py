"""Files in, files out: sound, patches, clusters.

Every mistake is one sentence, and no file is ever left half-written.
"""
