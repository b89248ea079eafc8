# alca_add_plugin(ID VERSION V PROVIDES INTERFACE... SOURCES FILE... SUMMARY TEXT)
#
# Makes the target ID: a plugin `ID.so` and its manifest `ID.alca.json` beside it, in
# ${PROJECT_BINARY_DIR}/lib/alca/plugins, installed to lib/alca/plugins.
#   ID        lower-case letters, digits and hyphens, such as runtime-mine
#   VERSION   SemVer, such as 0.3.0
#   PROVIDES  interface ids, such as alca.runtime/1; in the order of the classes in ALCA_PLUGIN
#   SUMMARY   one line for `alca plugins list`
# ID, version and interfaces reach manifest and compiler from here alone, so they cannot drift.
# Further libraries: target_link_libraries(ID PRIVATE ...).
function(alca_add_plugin id)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "VERSION;SUMMARY" "PROVIDES;SOURCES")
    foreach(name VERSION SUMMARY PROVIDES SOURCES)
        if(NOT arg_${name})
            message(FATAL_ERROR "alca_add_plugin(${id}): ${name} is missing")
        endif()
    endforeach()
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "alca_add_plugin(${id}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT id MATCHES "^[a-z][a-z0-9-]*$")
        message(FATAL_ERROR "alca_add_plugin(${id}): an id has lower-case letters, digits and hyphens only")
    endif()
    if(NOT arg_VERSION MATCHES "^[0-9]+\\.[0-9]+\\.[0-9]+([-+][0-9A-Za-z.+-]+)?$")
        message(FATAL_ERROR "alca_add_plugin(${id}): VERSION ${arg_VERSION} is not SemVer, such as 0.3.0")
    endif()
    foreach(interface IN LISTS arg_PROVIDES)
        if(NOT interface MATCHES "^[a-z0-9-]+(\\.[a-z0-9-]+)+/[1-9][0-9]*$")
            message(FATAL_ERROR "alca_add_plugin(${id}): ${interface} is not an interface id, such as alca.runtime/1")
        endif()
    endforeach()
    if(NOT ALCA_PLUGIN_DIR)
        set(ALCA_PLUGIN_DIR lib/alca/plugins)
    endif()
    set(directory ${PROJECT_BINARY_DIR}/${ALCA_PLUGIN_DIR})

    add_library(${id} MODULE ${arg_SOURCES})
    list(JOIN arg_PROVIDES " " provides_text)
    target_compile_definitions(${id} PRIVATE
        ALCA_PLUGIN_ID="${id}" ALCA_PLUGIN_VERSION="${arg_VERSION}" ALCA_PLUGIN_PROVIDES="${provides_text}")
    target_link_libraries(${id} PRIVATE Alca::sdk $<TARGET_NAME_IF_EXISTS:alca_options>)
    set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/alca-plugin.map)
    # nodelete: the host never unloads, and threads or handlers of the plugin may outlive a dlclose.
    target_link_options(${id} PRIVATE
        -Wl,--version-script,${map} -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete)
    if(NOT ALCA_SANITIZE) # a sanitizer's runtime may live in the host program only
        target_link_options(${id} PRIVATE -Wl,-z,defs)
    endif()
    set_target_properties(${id} PROPERTIES
        PREFIX "" SUFFIX .so LIBRARY_OUTPUT_DIRECTORY ${directory} LINK_DEPENDS ${map}
        POSITION_INDEPENDENT_CODE ON
        C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)

    list(TRANSFORM arg_PROVIDES PREPEND "\"")
    list(TRANSFORM arg_PROVIDES APPEND "\"")
    list(JOIN arg_PROVIDES ", " provides)
    string(REPLACE "\\" "\\\\" summary "${arg_SUMMARY}")
    string(REPLACE "\"" "\\\"" summary "${summary}")
    set(manifest ${directory}/${id}.alca.json)
    configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/manifest.json.in ${manifest} @ONLY)

    install(TARGETS ${id} LIBRARY DESTINATION ${ALCA_PLUGIN_DIR})
    install(FILES ${manifest} DESTINATION ${ALCA_PLUGIN_DIR})
endfunction()
