"""Adopting what is on the host already: the spec names it, apply records it, and from then on it is the lab's.

Docker cannot label an object that exists, so the record in the lab's state folder stands in for the labels. Where it
is lost, the objects are somebody else's again, and never deleted.
"""
