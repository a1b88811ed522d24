"""Function views: method, person, permission; load; try; answer."""
