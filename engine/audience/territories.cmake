# What France is made of, carried inside the executable.
set(territories_data "${PROJECT_SOURCE_DIR}/data/communes.csv" "${PROJECT_SOURCE_DIR}/data/epci.csv"
                     "${PROJECT_SOURCE_DIR}/data/former-communes.csv")
set_source_files_properties(
  territories_bundled.cpp
  PROPERTIES
    # The assembler looks for .incbin files where it looks for includes. Ninja cannot see them.
    COMPILE_OPTIONS "-Wa,-I${PROJECT_SOURCE_DIR}/data"
    OBJECT_DEPENDS "${territories_data}"
    SKIP_PRECOMPILE_HEADERS ON)

tocsin_library(
  territories
  SOURCES audience.cpp audience_codec.cpp territories.cpp territories_bundled.cpp territories_csv.cpp unknown_commune.cpp
  HEADERS audience.hpp territories.hpp territories_bundled.hpp territories_csv.hpp unknown_commune.hpp
  PUBLIC tocsin::event tocsin::core)
