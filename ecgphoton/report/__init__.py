"""The files of runs, bundles and studies come in; pictures and one HTML page about them go out."""
