# What is installed where, and the Debian package of it (scripts/package).
include(GNUInstallDirs)
install(TARGETS vigild vigilctl vigil-task vigil-exec RUNTIME DESTINATION bin)
install(FILES systemd/vigild.service systemd/vigild.socket systemd/vigild-admin.socket
        DESTINATION /usr/lib/systemd/system)
install(FILES systemd/sysusers.conf DESTINATION /usr/lib/sysusers.d RENAME vigild.conf)
install(FILES systemd/tmpfiles.conf DESTINATION /usr/lib/tmpfiles.d RENAME vigild.conf)
install(FILES systemd/strict.conf systemd/observe.conf DESTINATION share/vigild)
install(FILES systemd/package/vigild.toml DESTINATION /etc/vigild)
install(DIRECTORY DESTINATION /etc/vigild/entities.d)
install(FILES config/vigild.toml DESTINATION share/doc/vigild/examples)
install(DIRECTORY docs/ DESTINATION share/doc/vigild FILES_MATCHING PATTERN "*.md" PATTERN "*.py")
install(FILES README.md systemd/package/copyright DESTINATION share/doc/vigild)
# There need not be one; systemd/package/copyright says what that means.
install(FILES LICENSE DESTINATION share/doc/vigild OPTIONAL)
# Made by scripts/manuals out of what the programs say of themselves.
install(DIRECTORY ${CMAKE_BINARY_DIR}/manuals/man1 ${CMAKE_BINARY_DIR}/manuals/man8
        DESTINATION share/man)
install(FILES ${CMAKE_BINARY_DIR}/manuals/vigilctl.bash
        DESTINATION share/bash-completion/completions RENAME vigilctl)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vigild)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "the vigild maintainers <maintainers@vigild.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "runtime for entities that wait, notice, decide, act and remember")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"vigild is one process for two kinds of work. Entities live for years: guardians
 that wait for webhooks, schedules, mail and feeds, notice, decide, act and remember.
 Swarms live for seconds: graphs of short tasks that run side by side when an event
 needs work done. It needs no model, no key and no account.")
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd (>= 247), ca-certificates")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "git")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/systemd/package/postinst;${CMAKE_SOURCE_DIR}/systemd/package/prerm;${CMAKE_SOURCE_DIR}/systemd/package/postrm;${CMAKE_SOURCE_DIR}/systemd/package/conffiles)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR OFF)
include(CPack)
