{
  # CMakeLists.txt is the source of truth; node-gyp hands over to it.
  'targets': [
    {
      'target_name': 'postern',
      'type': 'none',
      'actions': [
        {
          'action_name': 'cmake',
          'inputs': ['CMakeLists.txt'],
          'outputs': ['build/native/Release/postern.node'],
          'action': ['node', '<(module_root_dir)/node_modules/cmake-js/bin/cmake-js', 'compile',
                     '--directory', '<(module_root_dir)', '--out', '<(module_root_dir)/build/native'],
        }
      ]
    }
  ]
}
