tocsin_test(
  territories_test
  SOURCES audience_codec_test.cpp audience_dedup_test.cpp audience_test.cpp territories_csv_test.cpp
          territories_test.cpp unknown_commune_test.cpp "${PROJECT_SOURCE_DIR}/tests/support/malformed_events.cpp"
  LINK tocsin::known_platforms tocsin::territories)
