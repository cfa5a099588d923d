"""`make lessons-run`: each lesson runs whole, and then every slider is moved, which a later cell may have broken."""

import nbformat
from nbmake import nb_run

MOVE = """
import sys
sys.path.append("../tests")
import sliders
sliders.move_all()
"""


class Client(nb_run.NotebookClient):
    """Runs the cells of a lesson, and one more."""

    def __init__(self, nb, **options):
        nb.cells.append(nbformat.v4.new_code_cell(MOVE))
        super().__init__(nb, **options)


nb_run.NotebookClient = Client
