"""Free times: weekly hours, blocks, occupancy, and the wishes that choose among them."""
