# What `cmake --install` installs, and what `cpack -G DEB` makes of it. The package is the one of the Debian that it is
# built on.

# --- what depends on the machine that builds

pkg_get_variable(TOCSIN_SYSTEMD_UNIT_FOLDER systemd systemd_system_unit_dir)
pkg_check_modules(systemd QUIET systemd)
if(systemd_VERSION VERSION_GREATER_EQUAL 253)
  # systemd sends SIGHUP itself, and knows when the reload is over.
  set(TOCSIN_SERVICE_TYPE "Type=notify-reload")
else()
  # The shell's own kill: the program of that name is in a package that a small system need not have.
  set(TOCSIN_SERVICE_TYPE "Type=notify\nExecReload=/bin/sh -c 'kill -HUP $MAINPID'")
endif()

# Two builds of one source agree: SOURCE_DATE_EPOCH, else the commit's own time.
set(package_epoch "$ENV{SOURCE_DATE_EPOCH}")
if(NOT package_epoch)
  execute_process(
    COMMAND git -C "${PROJECT_SOURCE_DIR}" log -1 --format=%ct
    OUTPUT_VARIABLE package_epoch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE no_commit)
  if(no_commit)
    string(TIMESTAMP package_epoch "%s" UTC)
  endif()
endif()
execute_process(
  COMMAND date -u -R -d "@${package_epoch}"
  OUTPUT_VARIABLE TOCSIN_PACKAGE_DATE OUTPUT_STRIP_TRAILING_WHITESPACE)

# --- what is made for the package

set(packaging "${PROJECT_SOURCE_DIR}/packaging")
set(packaged "${PROJECT_BINARY_DIR}/packaged")
configure_file("${packaging}/debian/changelog.in" "${packaged}/changelog" @ONLY)

# Compressed as Debian's policy has it: without a name and a time.
add_custom_command(
  OUTPUT "${packaged}/compressed"
  COMMAND "${CMAKE_COMMAND}" -E rm -rf "${packaged}/man1" "${packaged}/man5"
  COMMAND "${CMAKE_COMMAND}" -E env "SOURCE_DATE_EPOCH=${package_epoch}" $<TARGET_FILE:write_pages> "${packaged}"
  COMMAND sh -c "gzip -9nf '${packaged}'/man1/*.1 '${packaged}'/man5/*.5"
  COMMAND sh -c "gzip -9nc '${packaged}/changelog' > '${packaged}/changelog.Debian.gz'"
  COMMAND sh -c "gzip -9nc '${PROJECT_SOURCE_DIR}/CHANGELOG.md' > '${packaged}/changelog.gz'"
  COMMAND "${CMAKE_COMMAND}" -E touch "${packaged}/compressed"
  DEPENDS write_pages "${packaged}/changelog" "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
  VERBATIM)
add_custom_target(packaged ALL DEPENDS "${packaged}/compressed")

# --- what is installed

install(TARGETS tocsin RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(FILES "${packaging}/tocsin.sysusers" DESTINATION lib/sysusers.d RENAME tocsin.conf)
install(FILES "${packaging}/tocsin.tmpfiles" DESTINATION lib/tmpfiles.d RENAME tocsin.conf)
install(DIRECTORY "${packaged}/man1" "${packaged}/man5" DESTINATION "${CMAKE_INSTALL_MANDIR}")
install(FILES "${packaged}/completions/tocsin.bash" DESTINATION share/bash-completion/completions RENAME tocsin)
install(FILES "${packaged}/completions/_tocsin" DESTINATION share/zsh/vendor-completions)
install(FILES "${packaged}/completions/tocsin.fish" DESTINATION share/fish/vendor_completions.d)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/deploy/" DESTINATION share/tocsin FILES_MATCHING PATTERN "*.json" PATTERN "*.yml"
        PATTERN "*_test.yml" EXCLUDE)
install(
  FILES "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/SECURITY.md" "${packaged}/changelog.gz"
        "${packaged}/changelog.Debian.gz" "${packaging}/debian/copyright"
  DESTINATION share/doc/tocsin)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs" DESTINATION share/doc/tocsin)
# The unit names the program where it is installed, which only the installation knows: the package is for /usr, whatever
# the tree was configured for. Of a program under /usr the configuration is in /etc; of another, beside it.
set(prefix "@CMAKE_INSTALL_PREFIX@")
configure_file("${packaging}/tocsin.service.in" "${packaged}/tocsin.service.in" @ONLY)
install(CODE "
  configure_file(\"${packaged}/tocsin.service.in\" \"${packaged}/tocsin.service\" @ONLY)
  file(INSTALL DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\" TYPE FILE FILES \"${packaged}/tocsin.service\")
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(etc /etc)
  else()
    set(etc \"\${CMAKE_INSTALL_PREFIX}/etc\")
  endif()
  file(INSTALL DESTINATION \"\${etc}/tocsin\" TYPE FILE FILES \"${packaging}/tocsin.toml\")")

# --- the package

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tocsin)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_CONTACT "Tocsin maintainers <maintainers@tocsin.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "push notifications to residents of French communes")
set(CPACK_PACKAGE_DESCRIPTION
    "Tocsin reads events from Redis and sends each to every device that follows\nthe communes that it is for, through APNs, FCM and Web Push: a village in\nmilliseconds, a department in seconds, every device at least once.\n.\nThe package has the engine, its command line, a provider simulator, a\nGrafana dashboard and Prometheus rules.")
set(CPACK_STRIP_FILES ON)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                                                WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "ca-certificates, init-system-helpers (>= 1.54~), tzdata, systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "redis-server, prometheus")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${packaging}/debian/conffiles;${packaging}/debian/postinst;${packaging}/debian/prerm;${packaging}/debian/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
