"""The drill: attacks and innocent use through the real listener, with controls knocked out and broken.

DESIGN 4.7: derived depth, then what really happened, then where the two disagree.
"""
