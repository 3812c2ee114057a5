"""The image function: thumbnails and a description of every uploaded picture."""
