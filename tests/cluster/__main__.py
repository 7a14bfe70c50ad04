from tests.cluster import install, paths, progress
install.install_all(paths.find_paths(), progress.Progress("install"))
