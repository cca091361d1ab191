from actions.server import serve

serve()
