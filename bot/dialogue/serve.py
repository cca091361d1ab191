"""Serve a trained model: python -m serve --model FILE --endpoints FILE --credentials FILE --port N

Run in bot/dialogue with its own environment. It is `rasa run` for the REST channel on loopback, without the command line's imports
and without Rasa's HTTP API.
"""

import argparse
import gc
import logging
import os
import warnings

import lean  # noqa: F401  before Rasa


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--model", required=True)
    wanted.add_argument("--endpoints", required=True)
    wanted.add_argument("--credentials", required=True)
    wanted.add_argument("--port", type=int, required=True)
    given = wanted.parse_args()
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    # One sentence at a time is no work for several threads: on a busy machine they wait longer than they compute.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    warnings.simplefilter("ignore")

    import rasa.core.run
    import rasa.utils.common
    import rasa.utils.log_utils
    from rasa.core.utils import AvailableEndpoints

    rasa.utils.common.configure_logging_and_warnings(log_level=logging.WARNING, warn_only_once=True, filter_repeated_logs=True)
    rasa.utils.log_utils.configure_structlog(logging.WARNING)  # below that it writes down what patients say
    gc.collect()
    gc.freeze()  # what is imported stays; looking through it again costs every turn
    rasa.core.run.serve_application(
        given.model,
        interface="127.0.0.1",
        port=given.port,
        credentials=given.credentials,
        enable_api=False,
        endpoints=AvailableEndpoints.read_endpoints(given.endpoints),
    )


if __name__ == "__main__":
    main()
