// Original file: protos/deviceplugin.proto


export interface PreStartContainerResponse {
}

export interface PreStartContainerResponse__Output {
}
