"""The trainings that a comparison needs: what is missing, and training it."""
