"""What goes out: items as data sets, adapters, whole runs. Only reads; everything is a stream."""
