// Original file: protos/deviceplugin.proto


export interface Empty {
}

export interface Empty__Output {
}
