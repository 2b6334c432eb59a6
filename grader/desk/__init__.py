"""The review desk: a class's gradebook served on loopback, for the person who has the last word.

``attention`` says what to look at first, ``views`` makes pages of it with the templates of ``reports/html``, ``app``
answers requests and writes decisions through ``gradebook/deciding.py``, as ``grade.py adjust`` does, and ``guard``
refuses whoever is not the person at this machine.
"""
