"""Pictures of titles: found at TMDB or Trakt, checked, made smaller, kept, renewed."""
