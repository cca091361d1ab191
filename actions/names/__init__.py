"""Services, practitioners, payers and places in a patient's words, found in the loaded clinic: misspelt, misheard, by nickname.

Nothing of one clinic stands here: a clinic that nobody has seen before works as well.
"""

from actions.names.mentions import Mentions, mentioned
from actions.names.services import for_child

__all__ = ["Mentions", "for_child", "mentioned"]
