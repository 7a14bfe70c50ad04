"""Command line of the test cluster: `python3 -m tests.cluster COMMAND` from the root of the repository.

The composition root: reads arguments, calls one function, turns its error into one line.
"""

import argparse
import sys

from tests.cluster import images, install, node, registry
from tests.cluster.errors import ClusterError
from tests.cluster.paths import find_paths
from tests.cluster.progress import Progress


def main() -> int:
    """Run one command; 0 when it is done, 1 after an error that a line on standard error explains."""
    description = "A real one-node Kubernetes for tests."
    parser = argparse.ArgumentParser(prog="python3 -m tests.cluster", description=description)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("install", help="build and install everything that is needed, into the cache")
    commands.add_parser("up", help="start the node, or reuse it, and write .wasmoor/kubeconfig")
    commands.add_parser("down", help="stop node and registry and remove all their state")
    commands.add_parser("status", help="say what runs and where")
    commands.add_parser("images", help="build the project's images and load them into the cluster")
    commands.add_parser("registry", help="start or stop the registry").add_argument("action", choices=["up", "down"])
    arguments = parser.parse_args()
    try:
        run(arguments)
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def run(arguments: argparse.Namespace) -> None:
    """Do what the arguments say."""
    paths, progress = find_paths(), Progress(arguments.command)
    match arguments.command:
        case "install":
            install.install_all(paths, progress)
            progress.say(f"everything is installed in {paths.cache}")
        case "up":
            node.up(paths, progress)
        case "down":
            node.down(paths, progress)
        case "status":
            print("\n".join(node.status(paths)))
        case "images":
            print(images.provide_images(paths, progress).render())
        case "registry" if arguments.action == "up":
            registry.up(paths, progress)
            print("\n".join(registry.status(paths)))
        case "registry":
            registry.down(paths, progress)


if __name__ == "__main__":
    sys.exit(main())
