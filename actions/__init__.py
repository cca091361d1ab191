"""What the dialogue may ask of the core: one thin module per topic, and the resolvers that read a patient's words."""
